"""Options whose defaults are set after all are read, so that it is seen which were given."""

from typing import Any

from pystyle.cli._options import AddArgument


class LateDefaults:
    """The defaults of options that are None as long as they are not given.

    Attributes:
        values: The defaults by the attributes of the options.

    Example:
        >>> import argparse
        >>> parser, late = argparse.ArgumentParser(), LateDefaults()
        >>> action = late.of(parser.add_argument)("--steps", default=3, help="steps (default: %(default)s)")
        >>> parser.parse_args([]).steps, late.values, action.help
        (None, {'steps': 3}, 'steps (default: 3)')
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def of(self, add: AddArgument) -> AddArgument:
        """An `add_argument` that keeps the defaults here, and names them in the help."""

        def added(*flags: str, default: Any = None, help: str = "", **arguments: Any) -> Any:
            action = add(*flags, help=help.replace("%(default)s", str(default)), **arguments)
            self.values[action.dest] = default
            return action

        return added
