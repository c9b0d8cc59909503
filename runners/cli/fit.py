"""`factmill fit`: fit the models of linking and of resolution to your own data."""

from __future__ import annotations

from pathlib import Path

import click

from runners.arguments.command import Command
from runners.errors import UserError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(cls=Command, short_help="Fit the model of linking or resolution.")
@click.argument("kind", metavar="linking|resolution", type=click.Choice(["linking", "resolution"]))
@click.argument("source", metavar="FILE|DIR", type=click.Path(exists=True, path_type=Path))
@click.option("--annotated", type=_FILE, help="Resolution: annotated documents with ids, to fit to as well.")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), help="Linking: folder for extractions.")
@click.option("--model", default="docred-minilm", show_default=True, metavar="NAME|DIR", help="Linking: extractor.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="JSON file of the weights.")
def fit(kind: str, source: Path, annotated: Path | None, work: Path | None, model: str, out: Path) -> None:
    """Fit the weights of linking or of resolution, and write them as JSON.

    Linking is fitted to links that are hidden in a Wikipedia dump (weights of pages), or to the ids of annotated
    documents such as PubTator (weights of vocabularies). Resolution is fitted to pairs of nodes of a graph of a
    Wikipedia dump, DIR, whose links state what they are. The weights that come with factmill are
    pipeline/linking/weights.json and pipeline/resolution/weights.json.

    \b
    Examples:
      factmill fit linking enwiki-pages-articles.xml.bz2 --work hidden-links --out linking.json
      factmill fit linking CDR_TrainingSet.PubTator.txt --out linking.json
      factmill fit resolution wiki --annotated CDR_TrainingSet.PubTator.txt --out resolution.json
    """
    import msgspec

    if kind == "linking":
        if annotated is not None:
            raise UserError("--annotated goes with 'resolution': 'linking' takes annotated documents as FILE")
        weights, message = _linking(source, work, model)
    else:
        weights, message = _resolution(source, annotated)
    out.write_bytes(msgspec.json.format(weights, indent=2) + b"\n")
    click.echo(f"{out}: {message}")


def _linking(source: Path, work: Path | None, model: str) -> tuple[bytes, str]:
    import msgspec

    from pipeline.linking.disambiguation import linking_model
    from pipeline.linking.fit import cross_questions, fit_pages, fit_terms, page_questions
    from pipeline.readers import read_path
    from schemas import Document, Redirect

    if not source.is_file():
        raise UserError(f"'{source}' is no file: give a Wikipedia dump or annotated documents")
    items = [item for item in read_path(source) if isinstance(item, Document | Redirect)]
    documents = [item for item in items if isinstance(item, Document)]
    if any(document.entities for document in documents):
        questions = cross_questions(documents)
        fitted, what = fit_terms, "vocabularies"
    elif any(mention.kb_ids for document in documents for mention in document.mentions):
        if work is None:
            raise UserError("links are hidden before extraction: add --work DIR, a folder for the extractions")
        questions, fitted, what = page_questions(items, work, model)[0], fit_pages, "pages"
    else:
        raise UserError(f"'{source}' has neither links nor annotated entities: give a Wikipedia dump or PubTator file")
    if not any(question.options for question in questions):
        raise UserError(f"no hidden name of '{source}' has a candidate: give more documents")
    fitted_model = fitted(linking_model(), questions)
    return msgspec.json.encode(fitted_model), f"weights of {what}, fitted to {len(questions):,} hidden targets"


def _resolution(source: Path, annotated: Path | None) -> tuple[bytes, str]:
    import msgspec

    from pipeline.resolution.fit import annotated_corpus, corpus_of_graph, first_half, fitted_model, fitting_pairs
    from pipeline.resolution.matching import match_model

    if not source.is_dir():
        raise UserError(f"'{source}' is no folder: give a graph that 'factmill build' made of a Wikipedia dump")
    corpora = [first_half(corpus_of_graph(source))[0]]
    if annotated is not None:
        corpora.append(annotated_corpus(annotated))
    pairs = fitting_pairs(corpora)
    same = sum(pair[2] for pair in pairs)
    if not 0 < same < len(pairs):
        raise UserError(f"'{source}' has {len(pairs)} labelled pairs, {same} of them one thing: give more documents")
    model = fitted_model(pairs, match_model().threshold)
    return msgspec.json.encode(model), f"fitted to {len(pairs):,} pairs of nodes, {same:,} of them one thing"
