"""The step of the image and of `make test` that compiles the message catalogues."""

from django.core.management import call_command

from furrow.dashboard.translations import catalogue_path


def test_compile_makes_the_catalogue_django_reads_and_leaves_the_source() -> None:
    source = catalogue_path()
    before = source.read_bytes()
    call_command("messages", "--compile")
    assert source.read_bytes() == before
    assert source.with_suffix(".mo").stat().st_mtime >= source.stat().st_mtime
