"""The installed browser: found or asked for, printing, and ended with all it started."""

from __future__ import annotations

import os
import shutil
import stat
import time
from pathlib import Path

import psutil
import pytest

from tidewaiter.errors import ConfigurationError, ExaminationError
from tidewaiter.outlets import browser

needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="Chromium is not installed on this machine"
)


def made_browser(folder: Path, script: str) -> Path:
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_without_a_browser_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="install Chromium or Chrome"):
        browser.find_browser()
    with pytest.raises(ConfigurationError, match="'nothing' cannot be run"):
        browser.find_browser(Path("nothing"))


def test_the_browser_named_goes_before_the_one_installed(tmp_path):
    named = made_browser(tmp_path, "exit 0")
    assert browser.find_browser(named) == named


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("Chromium 130.0.1 built on Debian", "Chromium 130.0.1"),
        ("Google Chrome 131.0.2", "Google Chrome 131.0.2"),
        ("", "browser"),
    ],
)
def test_a_version_is_name_and_number(tmp_path, printed, shown):
    assert browser.browser_version(made_browser(tmp_path, f"echo '{printed}'")) == shown


def test_a_browser_that_prints_nothing_is_an_error_and_the_old_pdf_stays(tmp_path):
    pdf = tmp_path / "page.pdf"
    pdf.write_bytes(b"old")
    with pytest.raises(ExaminationError, match="did not print"):
        browser.print_page(made_browser(tmp_path, "exit 0"), tmp_path / "page.html", pdf)
    assert pdf.read_bytes() == b"old"


def test_a_browser_that_hangs_is_ended_with_its_children(monkeypatch, tmp_path):
    monkeypatch.setattr(browser, "LONGEST_PRINT_S", 0.5)
    hung = made_browser(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(ExaminationError, match="did not end within"):
        browser.print_page(hung, tmp_path / "page.html", tmp_path / "page.pdf")
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 20
    while is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        return psutil.Process(process).status() != "zombie"
    except psutil.NoSuchProcess:
        return False


def test_the_sandbox_is_given_up_for_root_only(monkeypatch, tmp_path):
    for user, flag in ((0, True), (1000, False)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        assert ("--no-sandbox" in browser._usual(tmp_path)) is flag


@needs_chromium
@pytest.mark.slow
def test_a_page_is_printed_to_pdf(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><title>t</title><p>some words on a page")
    browser.print_page(browser.find_browser(), page, tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
