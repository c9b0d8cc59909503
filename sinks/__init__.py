"""The merged graph out: Parquet tables, RDF, embedded Cypher."""
