"""Tables of Parquet and Arrow: their columns, and how large they are before they are unpacked."""
