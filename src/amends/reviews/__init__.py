"""Reviews after an incident: drafted from the record, revised by people, read without blame."""
