"""The comments part: ECMA-376 part 1, 17.13.4."""

from collections.abc import Sequence

from apps.contracts.redline.markup import Markup
from apps.contracts.redline.package import Package, append_to_root
from apps.contracts.redline.plan import Remark
from apps.contracts.redline.scan import WORD, scan

_EMPTY = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<w:comments xmlns:w="{namespace}"></w:comments>'
)


def comments_append(
    package: Package, remarks: Sequence[Remark], markup: Markup, *, initials: str
) -> None:
    """Adds one comment a remark, in a part of their own when the file has none."""
    if not package.comments:
        package.comments_add(_EMPTY.format(namespace=WORD[0]).encode())
    data = package.part(package.comments)
    own = Markup(scan(data).prefix, markup.author, markup.moment, 0)
    body = "".join(_comment(own, remark, initials) for remark in remarks)
    package.replace(package.comments, append_to_root(data, body.encode()))


def _comment(markup: Markup, remark: Remark, initials: str) -> str:
    lines = "".join(
        markup.element("p", markup.run(line) if line else "") for line in remark.text.split("\n")
    )
    attributes = markup.signed(remark.identity)
    if initials:
        attributes += markup.attribute("initials", initials)
    return markup.element("comment", lines, attributes)
