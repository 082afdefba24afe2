// Behaviour that pages share. Everything works without it; with it, pages keep themselves up to date.
