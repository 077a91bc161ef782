"""Which addresses a browser may be sent to after WeChat named it: pages of this account only."""

from urllib.parse import unquote

from o2o.web.errors import RedirectNotAllowed

PATH_CHARS_MAX = 1024


def local_path(text: str, *, slug: str) -> str:
    """Return the path if it is a page of this account. Raises RedirectNotAllowed.

    Judged both as it stands and percent-decoded, since browsers and proxies disagree on when to
    decode: no host, no scheme, no backslash, no control character, no step upwards.
    """
    once = unquote(text)
    for form in (text, once, unquote(once)):
        path = form.partition("?")[0].partition("#")[0]
        is_ours = path == f"/h5/{slug}" or path.startswith(f"/h5/{slug}/")
        steps = path.split("/")
        if (
            not is_ours
            or len(form) > PATH_CHARS_MAX
            or "\\" in form
            or "//" in path
            or not form.isprintable()
            or ".." in steps
            or "." in steps
        ):
            raise RedirectNotAllowed(field="next")
    return text
