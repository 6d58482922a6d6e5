import json

_IDS = """
    apache-2.0 mit isc zlib unlicense wtfpl bsl-1.0 ncsa ms-pl
    bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear afl-3.0 artistic-2.0 ecl-2.0
    cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0
    cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0
    cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
    gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 agpl-3.0 gfdl mpl-2.0 epl-1.0 epl-2.0 eupl-1.1
    osl-3.0 ofl-1.1 odbl odc-by pddl c-uda openrail bigscience-openrail-m creativeml-openrail-m
    unknown
"""


def licence_lines(licence: str) -> list[str]:
    """What the head of a page on the hub of Hugging Face says of a licence: the hub refuses ids of others.

    Args:
        licence: As a card has it, such as ``"CC BY 4.0"``; it may be empty.
    """
    if not licence:
        return []
    found = "-".join(licence.lower().split())
    found = {"cc0": "cc0-1.0"}.get(found, found)
    if found in _IDS.split():
        return [f"license: {found}"]
    return ["license: other", f"license_name: {json.dumps(found)}"]
