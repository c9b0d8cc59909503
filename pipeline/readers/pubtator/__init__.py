"""PubTator files: records of a title, an abstract, mentions with concept ids, and relations."""
