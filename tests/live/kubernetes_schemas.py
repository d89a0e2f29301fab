"""Write self-contained JSON Schemas of the Kubernetes kinds for kubeconform.

Run with the Python that has the package kubernetes-validate, whose schemas refer to one
file of definitions that kubeconform does not follow: each schema written here carries the
definitions it uses. The kinds of custom resource definitions found in further folders join
them.

    python kubernetes_schemas.py 1.34.0 FOLDER [FOLDER_OF_DEFINITIONS...]
"""

import json
import os
import sys

import kubernetes_validate
import yaml


def definition_name(reference):
    return reference.rsplit("/", 1)[1]


def with_local_references(node):
    if isinstance(node, list):
        return [with_local_references(item) for item in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        return {"$ref": "#/definitions/" + definition_name(node["$ref"])}
    return {
        key: with_local_references(value)
        for key, value in node.items()
        if key not in ("$schema", "$id")
    }


def collect_used(node, definitions, used):
    """Add to `used` the names of all definitions that `node` refers to, however deep."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and definition_name(reference) not in used:
            used.add(definition_name(reference))
            collect_used(definitions[definition_name(reference)], definitions, used)
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            collect_used(item, definitions, used)
    return used


def strict(node):
    """Refuse unknown members wherever the members are listed."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: strict(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        node.setdefault("additionalProperties", False)
    return node


def write(folder, name, schema):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(schema, file)


def write_kinds(version, folder):
    source = os.path.join(
        os.path.dirname(kubernetes_validate.__file__),
        "kubernetes-json-schema",
        f"v{version}-local-strict",
    )
    with open(os.path.join(source, "_definitions.json"), encoding="utf-8") as file:
        definitions = with_local_references(json.load(file)["$defs"])
    for name in sorted(os.listdir(source)):
        with open(os.path.join(source, name), encoding="utf-8") as file:
            schema = with_local_references(json.load(file))
        if "kind" not in schema.get("properties", {}):
            continue
        used = collect_used(schema, definitions, set())
        schema["definitions"] = {key: definitions[key] for key in sorted(used)}
        write(folder, name, schema)


def write_custom_kinds(source, folder):
    for name in sorted(os.listdir(source)):
        if not name.endswith(".yaml"):
            continue
        with open(os.path.join(source, name), encoding="utf-8") as file:
            documents = list(yaml.safe_load_all(file))
        for document in documents:
            if not document or document.get("kind") != "CustomResourceDefinition":
                continue
            spec = document["spec"]
            group = spec["group"].split(".")[0]
            for version in spec["versions"]:
                kind = spec["names"]["kind"].lower()
                schema = strict(version["schema"]["openAPIV3Schema"])
                write(folder, f"{kind}-{group}-{version['name']}.json", schema)


def main(version, folder, *sources):
    os.makedirs(folder, exist_ok=True)
    write_kinds(version, folder)
    for source in sources:
        write_custom_kinds(source, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
