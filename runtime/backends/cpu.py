"""What this CPU is, and whether it multiplies bytes as INT8 needs it."""

from dataclasses import dataclass
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Family:
    """Instructions by the names that Linux gives them.

    A dot product adds four products of bytes into 32 bits. Without it x86 adds pairs into 16
    bits, which saturate (255 * 127 * 2 does not fit): OpenVINO is then a little faster than in
    FP32, and finds other boxes or none. Arm widens first, which is right and slow. ONNX Runtime
    multiplies most Q/DQ graphs of detectors in float, which is right and slower than FP32.
    """

    sign: str  # every CPU of the family has it
    dot_products: frozenset[str]
    without: str


FAMILIES = (
    Family(
        "sse2",
        frozenset({"avx512_vnni", "avx_vnni", "amx_int8"}),
        "this CPU has no VNNI, so INT8 would saturate or be slower",
    ),
    Family(
        "asimd",
        frozenset({"asimddp"}),
        "this CPU has no dot product of bytes (asimddp), so INT8 would be slower",
    ),
)


@dataclass(frozen=True, slots=True)
class Cpu:
    """`model` tells one kind of CPU from another; `instructions` are those of every core."""

    model: str
    instructions: frozenset[str]

    @property
    def against_int8(self) -> str | None:
        """Why INT8 cannot pay off here; None where it may."""
        for family in FAMILIES:
            if family.sign in self.instructions:
                return None if family.dot_products & self.instructions else family.without
        return "what this CPU can do is not known, so INT8 might saturate or be slower"


def read_cpu(cpuinfo: Path = CPUINFO) -> Cpu:
    """A file that cannot be read, or in an unknown form, is a CPU of which nothing is known."""
    try:
        text = cpuinfo.read_text(errors="replace")
    except OSError:
        text = ""
    cores = [_fields(block) for block in text.split("\n\n")]
    listed = [core.get("flags") or core.get("Features") for core in cores]
    each = [frozenset(words.split()) for words in listed if words]
    # A board may mix kinds of cores, and a thread runs on any of them.
    instructions = frozenset.intersection(*each) if each else frozenset[str]()
    return Cpu(" + ".join(sorted({_model(core) for core in cores} - {""})), instructions)


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _model(core: dict[str, str]) -> str:
    """With the numbers: in a virtual machine, and on Arm, the name is vague where there is one."""
    keys = ("model name", "cpu family", "model", "stepping", "CPU implementer", "CPU part")
    return " ".join(core[key] for key in keys if key in core)
