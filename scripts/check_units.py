"""scripts/check_units.py [TREE]: no file of a target that is compiled by units (meson.build: `override_options: units`) has a
name of its own, in an unnamed namespace, that another file of the target takes from a header. Compiled as one, the
second file would silently mean the first one's."""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
TARGET = re.compile(r"(?:static_library|shared_library|executable)\(\s*'[\w-]+',((?:(?!_library\(|executable\().)*?)override_options: [^\n]*units", re.S)


def code_of(path):
    """Without comments and texts."""
    return re.sub(r"//[^\n]*", "", re.sub(r'"(?:\\.|[^"\\\n])*"', '""', path.read_text()))


def at_top(code, wanted):
    """What stands at the level of namespaces that `wanted` accepts, without what is inside of other braces."""
    text, stack = [], []
    for piece in re.findall(r"[{};]|[^{};]+", code):
        if piece == "{":
            named = re.search(r"namespace\s*([\w:]*)\s*$", "".join(text[-1:]))
            stack.append(None if named is None else named[1])
            text.append(";" if named else " ")
        elif piece == "}":
            if stack:
                stack.pop()
            text.append(";")
        elif None not in stack and wanted(stack):
            text.append(piece)
        else:
            text.append(piece if "namespace" in piece and None not in stack else "")
    return "".join(text)


def names_in(text):
    """Functions, types and constants that are declared there."""
    found = set()
    for statement in text.split(";"):
        kind = re.search(r"\b(?:struct|class|enum class|enum|using)\s+(\w+)", statement)
        function = re.search(r"(\w+)\s*\(", statement)
        constant = re.search(r"\bconst(?:expr)?\b[^=(]*?(\w+)\s*(?:\[[^]]*\]\s*)*=", statement)
        found.update(match[1] for match in (kind or constant or function,) if match)
    return found


def targets():
    for build in sorted(ROOT.glob("**/meson.build")):
        if build.parts[len(ROOT.parts)].startswith("build"):
            continue
        text = build.read_text()
        for match in TARGET.finditer(text):
            files = [build.parent / name for name in re.findall(r"'([\w/.-]+\.cc)'", match[1])]
            if files:
                yield build.relative_to(ROOT), files
    # Of tests/meson.build the programs with LibTorch, a list a room.
    tests = ROOT / "tests/meson.build"
    if not tests.exists():
        return
    for room in re.findall(r"\[files\(([^)]*)\)", tests.read_text().split("torch_tests = {\n", 1)[1].split("\n  }\n")[0]):
        yield tests.relative_to(ROOT), [tests.parent / name for name in re.findall(r"'([\w/.-]+\.cc)'", room)]


def main():
    shared = {}
    for header in sorted(ROOT.glob("**/*.h")):
        room = header.parts[len(ROOT.parts)]
        if not room.startswith("build"):
            for name in names_in(at_top(code_of(header), lambda stack: stack in ([], ["auxbench"]))):
                shared.setdefault(name, header.relative_to(ROOT))
    faults = looked_at = 0
    for build, files in targets():
        code = {file: code_of(file) for file in files}
        own = {file: names_in(at_top(code[file], lambda stack: "" in stack)) for file in files}
        looked_at += len(files)
        for first in files:
            for name in own[first] & shared.keys():
                for second in files:
                    if second == first or name in own[second] or not re.search(rf"(?<![\w.>:]){name}\s*[(<{{]", code[second]):
                        continue
                    print(f"{first.relative_to(ROOT)}: its own {name} would be taken for {shared[name]}'s in "
                          f"{second.relative_to(ROOT)}: compiled as one ({build})")
                    faults += 1
    if looked_at == 0:
        print("no file found that is compiled by units: the patterns of this check no longer fit meson.build")
        faults += 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
