"""Schemathesis writes some integers as 812.0, which JSON Schema allows and Go's decoder does not."""

import schemathesis


def whole(value):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(member) for member in value]
    return value


@schemathesis.hook
def map_body(context, body):
    return whole(body)
