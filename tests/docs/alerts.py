"""The alert rules of deploy/prometheus/alerts.yaml: the metrics that they name, and which series their selectors match."""

import re

FILE = "deploy/prometheus/alerts.yaml"

OPERATORS = {
    "=": lambda have, want: have == want,
    "!=": lambda have, want: have != want,
    "=~": lambda have, want: re.fullmatch(want, have) is not None,
    "!~": lambda have, want: re.fullmatch(want, have) is None,
}


def matchers_of(text):
    """The label matchers within braces: (label, operator, value)."""
    return re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', text)


def match(matchers, labels):
    """Whether a series with these labels is selected, as Prometheus does it: a label that isn't there is empty."""
    return all(OPERATORS[operator](labels.get(label, ""), value) for label, operator, value in matchers)


class Alert:
    """A rule."""

    def __init__(self, name, body):
        self.name = name
        self.labels = {"severity": re.search(r"labels: {severity: (\w+)}", body).group(1)}
        self.annotations = {"summary": re.search(r'summary: "(.*)"', body).group(1)}
        expression = body.split("labels:")[0]
        self.expression = expression
        # (metric, matchers) for each selector with braces
        self.selectors = [(metric, matchers_of(braces)) for metric, braces in re.findall(r"(\w+)\{([^}]*)\}", expression)]

    def metrics(self):
        """The names of metrics, also of those that stand without braces."""
        return set(re.findall(r"\b(?:igptd|grpc_server|process)_\w+", self.expression))

    def single_selectors(self):
        """The selectors, once for each alternative of an `a|b` in them: each has to match something by itself."""
        for metric, matchers in self.selectors:
            yield metric, matchers
            for label, operator, value in matchers:
                if operator != "=~":
                    continue
                for part in value.split("|"):
                    yield metric, [(l, o, v) for l, o, v in matchers if l != label] + [(label, "=~", part)]


def alerts_of(text):
    """The rules in the file."""
    return [Alert(name, body) for name, body in re.findall(r"- alert: (\w+)(.*?)(?=- alert:|\Z)", text, re.DOTALL)]
