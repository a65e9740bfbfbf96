"""Rankings and results: what training wrote, read for pages and programs."""
