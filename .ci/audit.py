"""Look for known vulnerabilities in what is installed; fails when there are any.

The advisories come over the network. Where they cannot be had, nothing was audited: that is said, and is no
failure.
"""

from __future__ import annotations

import json
import subprocess
import sys

_COMMAND = (
    sys.executable,
    "-m",
    "pip_audit",
    "--format",
    "json",
    "--progress-spinner",
    "off",
    "--skip-editable",
)
_WITHIN_S = 300.0


def main() -> int:
    """The exit code: 1 for a known vulnerability."""
    try:
        done = subprocess.run(_COMMAND, capture_output=True, text=True, check=False, timeout=_WITHIN_S)
        found = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        print("NOT AUDITED: the advisories did not come in time")
        return 0
    except (ValueError, KeyError):
        why = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        print(f"NOT AUDITED: the advisories cannot be had from here: {why}")
        return 0
    audited = [each for each in found if "skip_reason" not in each]
    if not audited:
        print(f"NOT AUDITED: nothing is known from here of any of {len(found)} packages")
        return 0
    bad = [each for each in audited if each["vulns"]]
    for each in bad:
        for vulnerability in each["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "nothing yet"
            print(f"{each['name']} {each['version']}: {vulnerability['id']}, fixed in {fixed}")
    print(f"{len(audited)} packages audited, {len(bad)} with known vulnerabilities")
    if unknown := [each["name"] for each in found if "skip_reason" in each]:
        print(f"not audited, as nothing is known of them: {', '.join(unknown)}")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
