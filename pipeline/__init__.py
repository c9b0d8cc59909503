"""The pipeline in Apache Beam: read documents, extract facts, link and resolve entities, merge, write tables."""
