"""Engines that call jobs on many machines; the one of a single process is ``workflows.loop``."""
