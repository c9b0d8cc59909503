#!/usr/bin/env bash
# Builds two graphs from the examples and asks them three questions.
#
#   examples/demo.sh [FOLDER]    FOLDER takes the graphs (demo-graph); FACTMILL names the command (factmill)
set -euo pipefail

factmill=${FACTMILL:-factmill}
out=${1:-demo-graph}
examples=$(dirname "${BASH_SOURCE[0]}")

ask() { # QUESTION GRAPH QUERY
  printf '\n%s\n  factmill query %s "%s"\n\n' "$1" "$2" "$3"
  "$factmill" query "$2" "$3"
}

printf 'Articles about people, works and places:\n\n'
"$factmill" build "$examples/encyclopedia.xml" --out "$out/encyclopedia" --model docred-minilm
printf '\nAbstracts about drugs and what they cause:\n\n'
"$factmill" build "$examples/biomedicine.xml" --out "$out/biomedicine" --model cdr-minilm

ask 'Where were people born?' "$out/encyclopedia" \
  "MATCH (p:PER)-[r:PLACE_OF_BIRTH]->(c:LOC) RETURN p.name, c.name, r.confidence ORDER BY r.confidence DESC, p.name LIMIT 10"

ask 'Who was educated at the same institution?' "$out/encyclopedia" \
  "MATCH (a)-[:EDUCATED_AT]->(s)<-[:EDUCATED_AT]-(b) WHERE a.name < b.name RETURN s.name, a.name, b.name ORDER BY s.name, a.name, b.name LIMIT 10"

ask 'Which effects have several drugs in common?' "$out/biomedicine" \
  "MATCH (c:Chemical)-[r:INDUCES_DISEASE]->(d:Disease) RETURN d.name AS effect, collect(c.name) AS drugs, count(*) AS number ORDER BY number DESC, effect LIMIT 10"

cat <<END

The graphs are in $out/encyclopedia and $out/biomedicine: Parquet tables, graph.nq for RDF tools, graph.db for Cypher.
Next steps:

  factmill show $out/encyclopedia 'Ada Lovelace'     an entity, its facts and the sentences that state them
  factmill build YOUR-FILES --out my-graph           a Wikipedia dump, PubMed XML, PubTator, JSON Lines or plain text
  factmill --help
END
