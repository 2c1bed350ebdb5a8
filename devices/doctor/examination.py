"""Everything that is looked at, in the order in which it is told."""

from dataclasses import dataclass

from stopline.devices.doctor.cameras import camera_findings
from stopline.devices.doctor.finding import Finding
from stopline.devices.doctor.graphics import driver_gpu, gpu_findings, has_nvidia_gpu
from stopline.devices.doctor.host import Host
from stopline.devices.doctor.identity import Identity, board_findings, identity
from stopline.devices.doctor.libraries import library_findings
from stopline.devices.doctor.memory import memory_findings
from stopline.devices.doctor.power import power_findings
from stopline.devices.doctor.probed import probes
from stopline.devices.doctor.upkeep import upkeep_findings
from stopline.devices.doctor.verdict import answers, board_of, bundle_finding
from stopline.devices.preflight import Answer
from stopline.runtime.bundle import Bundle


@dataclass(frozen=True)
class Examination:
    """`runs` are the ways in which the bundle could run, the best first."""

    board: Identity
    findings: tuple[Finding, ...]
    runs: tuple[Answer, ...]

    @property
    def able(self) -> bool:
        """Whether the bundle could run: the last finding is about it."""
        return self.findings[-1].severity != "problem"


def examine(host: Host, bundle: Bundle) -> Examination:
    """Look, and change nothing."""
    this, tried = identity(host, driver_gpu(host)), probes(host)
    on_gpu = gpu_findings(host, this, tried)
    gpu = has_nvidia_gpu(host, this) and not this.too_old
    gpu = gpu and all(one.severity != "problem" for one in on_gpu)
    able = answers(bundle, board_of(host, this, tried), tried)
    findings = [
        *board_findings(this),
        *on_gpu,
        *library_findings(this, tried, gpu),
        *camera_findings(host),
        *memory_findings(host, gpu),
        *power_findings(host, this),
        *upkeep_findings(host),
        bundle_finding(bundle, able, tried, gpu),
    ]
    return Examination(this, tuple(findings), tuple(able))
