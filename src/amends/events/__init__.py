"""The language of the log: event kinds, their payloads, the codec and the hash chain."""
