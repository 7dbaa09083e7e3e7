# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths that no single system call takes: longer than PATH_MAX."""

import os

import pytest

from program import Program, watch_key
from test_new_directories import directories

NAME = "n" * 250


def descend(top, levels, make=True):
    """A descriptor for the directory `levels` below top, each called NAME."""
    place = os.open(top, os.O_DIRECTORY | os.O_PATH)
    for _ in range(levels):
        if make:
            os.mkdir(NAME, dir_fd=place)
        below = os.open(NAME, os.O_DIRECTORY | os.O_PATH, dir_fd=place)
        os.close(place)
        place = below
    return place


def below(place):
    """directories() for what is below a descriptor; os.walk() would need the path."""
    return {watch_key(number) for _, _, _, number in os.fwalk(".", dir_fd=place)}


def remove(top):
    place = os.open(top, os.O_DIRECTORY)
    try:
        for path, names, files, number in os.fwalk(".", topdown=False, dir_fd=place):
            for name in files:
                os.unlink(name, dir_fd=number)
            for name in names:
                os.rmdir(name, dir_fd=number)
    finally:
        os.close(place)


@pytest.fixture
def deep(room):
    """A directory d with 30 levels below it, its path some 7,500 bytes."""
    (room / "home/d").mkdir(parents=True)
    os.close(descend(room / "home/d", 30))
    yield room
    remove(room / "home/d")


def touch(place, name):
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=place))


@pytest.mark.parametrize("limit", ["", "ulimit -n 16; "])
def test_recursion_goes_beyond_path_max(inotifywait, deep, limit):
    command = f"{limit}exec inotifywait -m -q -r -e create -o out d".encode()
    program = Program(inotifywait, command, deep / "home", deep / "bin")
    try:
        program.settle()
        top = os.open(deep / "home/d", os.O_DIRECTORY | os.O_PATH)
        assert program.watched() == below(top)
        place = descend(deep / "home/d", 30, make=False)
        touch(place, "f")
        os.mkdir("new", dir_fd=place)
        program.settle()
        inner = os.open("new", os.O_PATH, dir_fd=place)
        touch(inner, "g")
        program.settle()
        shown = "d/" + (NAME + "/") * 30
        lines = (deep / "home/out").read_text().splitlines()
        assert lines == [f"{shown} CREATE f", f"{shown} CREATE,ISDIR new", f"{shown}new/ CREATE g"]
        for number in (top, place, inner):
            os.close(number)
    finally:
        program.close()


@pytest.mark.parametrize("format_", ["%w%f", "%w %e %f", "%f|%w|%w"])
def test_long_lines_are_whole(inotifywait, deep, format_):
    command = f"exec inotifywait -m -q -r -e create --format '{format_}' -o out d".encode()
    program = Program(inotifywait, command, deep / "home", deep / "bin")
    try:
        program.settle()
        place = descend(deep / "home/d", 30, make=False)
        touch(place, "f" * 255)
        os.close(place)
        program.settle()
        fields = {"%w": "d/" + (NAME + "/") * 30, "%f": "f" * 255, "%e": "CREATE"}
        line = format_
        for key, value in fields.items():
            line = line.replace(key, value)
        assert (deep / "home/out").read_text() == line + "\n"
    finally:
        program.close()


def test_long_csv_fields_are_whole(inotifywait, deep):
    program = Program(inotifywait, b"exec inotifywait -m -q -r -c -e create -o out d", deep / "home", deep / "bin")
    try:
        program.settle()
        place = descend(deep / "home/d", 30, make=False)
        touch(place, 'a "quoted", name')
        os.close(place)
        program.settle()
        assert (deep / "home/out").read_text() == "d/" + (NAME + "/") * 30 + ',CREATE,"a ""quoted"", name"\n'
    finally:
        program.close()


def test_a_deep_tree_made_at_once(inotifywait, room):
    (room / "home/d").mkdir(parents=True)
    program = Program(inotifywait, b"exec inotifywait -m -q -r -e create -o out d", room / "home", room / "bin")
    try:
        program.settle()
        os.close(descend(room / "home/d", 30))
        program.settle()
        top = os.open(room / "home/d", os.O_DIRECTORY | os.O_PATH)
        assert program.watched() == below(top)
        os.close(top)
        expected = ["d/" + (NAME + "/") * level + f" CREATE,ISDIR {NAME}" for level in range(30)]
        assert (room / "home/out").read_text().splitlines() == expected
    finally:
        program.close()
        remove(room / "home/d")


def test_watched_directories_of_an_ordinary_tree(inotifywait, room):
    for n in range(100):
        (room / f"home/d/{n}/s").mkdir(parents=True)
    program = Program(inotifywait, b"exec inotifywait -m -q -r d", room / "home", room / "bin")
    try:
        program.settle()
        assert program.watched() == directories(room / "home/d")
    finally:
        program.close()
