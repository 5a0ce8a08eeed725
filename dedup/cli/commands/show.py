"""The command ``dedup show``: look at a report in a browser."""

from __future__ import annotations

import click

from dedup.cli.command import Command
from dedup.cli.ending import note, say, until_interrupted
from dedup.cli.options import quieted
from dedup.options import check_whole
from dedup.terminal import clean

__all__ = ["show"]


@click.command(
    cls=Command,
    examples=[
        "dedup show report",
        "dedup show report --html report.html",
    ],
)
@click.argument("report")
@click.option("--html", metavar="FILE", help="Write one file that needs no server, instead of starting one.")
@click.option(
    "--clusters",
    type=int,
    metavar="N",
    default=2000,
    show_default=True,
    help="Clusters in the file of --html, at most.",
)
@click.option(
    "--megabytes", type=float, metavar="N", default=25.0, show_default=True, help="Size of the file of --html, at most."
)
@click.option("--port", type=int, metavar="N", default=0, help="Port to listen on; by default a free one.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@quieted
def show(report: str, html: str | None, clusters: int, megabytes: float, port: int, no_browser: bool) -> None:
    """Look at a REPORT in a browser: its clusters, the texts side by side, and what they share.

    REPORT is the folder that `--output` of `dedup find`, `match` or `repeats` named. The page comes from this machine
    alone (127.0.0.1), and reads the texts from the files that were searched; Ctrl-C ends it. Nothing is changed: what
    you decide on the page is saved by the browser as overrides.jsonl, which `dedup apply --overrides` obeys.
    """
    from dedup.report.page import view_of_report
    from dedup.report.read import Report

    port = check_whole("port", port, 0, 65535)
    opened = Report.open(report, verify=False)
    if html is not None:
        opened.to_html(html, clusters=clusters, megabytes=megabytes)
        say(f"page written to {clean(html)}")
        return
    from dedup.report.serving import Server

    server = Server(view_of_report(opened), port)
    say(server.address)
    note("open this address in a browser; Ctrl-C ends the server")
    if not no_browser:
        import webbrowser

        webbrowser.open(server.address)
    with until_interrupted():
        server.run()
