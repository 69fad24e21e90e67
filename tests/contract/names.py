"""Names in the styles of the languages."""

import re


def upper_camel(name):
    """output_format or OUTPUT_FORMAT: OutputFormat."""
    if name.isupper():
        name = name.lower()
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def lower_camel(name):
    """output_format or OutputFormat: outputFormat."""
    camel = upper_camel(name)
    return camel[:1].lower() + camel[1:]


def snake(name):
    """OutputFormat: output_format."""
    return re.sub(r"(?<=.)(?=[A-Z])", "_", name).lower()


def without_prefix(enum, value):
    """STAGE_DONE of the enum Stage: DONE."""
    return value.removeprefix(snake(enum).upper() + "_")
