"""The commands that use a trained model: `predict`, `evaluate` and `embed`."""

from grapevine.cli import atoms_options, options
from grapevine.cli.errors import plain_errors
from grapevine.cli.given import Place
from grapevine.data.structure_files import is_potential_run

PREDICT_EPILOG = """Examples:

grapevine predict runs/people-gcn --nodes new.csv --edges new-friends.csv --out said.csv

grapevine predict runs/friends-gcn --pairs who.csv · a model of links, over the edges it was trained on

grapevine predict runs/frames-mace new.xyz --out said.xyz · energies and forces of structures"""


def predict(
    run: options.RunPath,
    data: options.Data = None,
    nodes: options.Nodes = None,
    edges: options.Edges = None,
    sql: options.Sql = None,
    nodes_query: options.NodesQuery = None,
    edges_query: options.EdgesQuery = None,
    root: options.Root = None,
    format: options.Format = None,
    pairs: options.Pairs = None,
    out: options.OutFile = None,
    json: options.Json = False,
) -> None:
    """Use a model on new nodes, edges or graphs; without any data, on those it was trained on.

    Tables need the columns that the model was trained with, but no target. Rows that can not be read are listed.
    """
    place = Place(data, nodes, edges, sql, nodes_query, edges_query, root, format)
    with plain_errors():
        if is_potential_run(run):
            from grapevine.cli import atoms_use

            atoms_use.predict(run, place, pairs=pairs, out=out, as_json=json)
            return
        from grapevine.cli.ahead import start_molecules

        parts = start_molecules(run, place)

        from grapevine.cli import screen
        from grapevine.cli.build import maybe_source
        from grapevine.recipes.predict import predict as recipe

        with screen.progress() as on_progress:
            source = maybe_source(place, run)
            said = recipe(run, source, pairs=pairs, parts=parts, out=out, on_progress=on_progress)
        screen.show_json(said.to_dict()) if json else screen.show_predictions(said)


def evaluate(
    run: options.RunPath,
    data: options.Data = None,
    nodes: options.Nodes = None,
    edges: options.Edges = None,
    sql: options.Sql = None,
    nodes_query: options.NodesQuery = None,
    edges_query: options.EdgesQuery = None,
    root: options.Root = None,
    format: options.Format = None,
    part: options.Part = None,
    energy_key: atoms_options.EnergyKey = None,
    forces_key: atoms_options.ForcesKey = None,
    stress_key: atoms_options.StressKey = None,
    energy_unit: atoms_options.EnergyUnit = None,
    json: options.Json = False,
) -> None:
    """Judge a model on data that hold answers; without any, again on its own data and split."""
    place = Place(data, nodes, edges, sql, nodes_query, edges_query, root, format)
    labels = {"energy_key": energy_key, "forces_key": forces_key, "stress_key": stress_key, "energy_unit": energy_unit}
    with plain_errors():
        if is_potential_run(run):
            from grapevine.cli import atoms_use

            atoms_use.evaluate(run, place, labels, part=part, as_json=json)
            return
        from grapevine.cli import screen
        from grapevine.cli.atoms import refuse_labels
        from grapevine.cli.build import maybe_source

        refuse_labels(labels)
        from grapevine.recipes.evaluate import evaluate as recipe

        with screen.progress() as on_progress:
            found = recipe(run, maybe_source(place, run), part=part, on_progress=on_progress)
        screen.show_json(found.to_dict()) if json else screen.show_evaluation(found)


def embed(
    run: options.RunPath,
    data: options.Data = None,
    nodes: options.Nodes = None,
    edges: options.Edges = None,
    sql: options.Sql = None,
    nodes_query: options.NodesQuery = None,
    edges_query: options.EdgesQuery = None,
    root: options.Root = None,
    format: options.Format = None,
    out: options.OutFile = None,
    json: options.Json = False,
) -> None:
    """Where a model puts nodes or graphs: a row of numbers for each. Of an ensemble, the first member's."""
    place = Place(data, nodes, edges, sql, nodes_query, edges_query, root, format)
    with plain_errors():
        from grapevine.cli import screen
        from grapevine.cli.build import maybe_source
        from grapevine.recipes.embed import embed as recipe

        with screen.progress() as on_progress:
            frame = recipe(run, maybe_source(place, run), out=out, on_progress=on_progress)
        if json:
            screen.show_json({"embeddings": frame.to_dicts(), "path": None if out is None else str(out)})
        else:
            screen.show_frame(frame, out)
