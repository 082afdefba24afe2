"""What keeps an escape from happening twice: signatures of failures and regression tests."""
