"""Training by itself: a watched folder whose new files become data sets and runs."""
