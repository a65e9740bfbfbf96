"""What every route of the REST API shares: strict input, pages, ETags, and its own description."""
