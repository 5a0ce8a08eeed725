"""Whether answers are right: noise, scripts, passages, recall, killed runs."""
