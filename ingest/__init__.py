"""Stream contracts: parse, validate, quarantine, deduplicate, pseudonymise, frame."""
