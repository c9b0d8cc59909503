"""Development servers on this machine: a Neo4j server and a Flink cluster, without Docker."""
