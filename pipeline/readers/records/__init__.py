"""Files of records with named fields: JSON Lines, JSON, Parquet, CSV and TSV."""
