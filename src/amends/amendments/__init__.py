"""Action items that change a test or a gate: their states and the rules of their proof."""
