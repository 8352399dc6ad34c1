// Root emulation by fakeroot(1) inside the image: which distributions we know how to get it on, what
// has to be done there, and which commands need it (spec dockerfile §10.3).

import { ChError } from "../error.ts";

/** Something to do once in a stage, before the first RUN that needs fakeroot. */
export interface FakerootStep {
  /** Shell command; if it succeeds, there is nothing to do. */
  readonly check: string;
  /** Shell command. */
  readonly do: string;
}

export interface FakerootConfig {
  readonly key: string;
  /** For people. */
  readonly name: string;
  /** A RUN with one of these words needs fakeroot. */
  readonly triggers: readonly string[];
  readonly steps: readonly FakerootStep[];
}

/** Text of a file of the image; undefined if there is none. */
export type ReadImageText = (path: string) => string | undefined;

/** The configuration for the image's distribution. Throws if there is none. */
export function chooseFakerootConfig(readText: ReadImageText): FakerootConfig {
  const found = CONFIGS.find(({ file, matches }) => {
    const text = readText(file);
    return text !== undefined && matches(text);
  });
  if (found === undefined) {
    throw new ChError("--force=fakeroot not available (no suitable config found)");
  }
  return found;
}

/** Does one of the words in ARGV, split at white space, trigger CONFIG? */
export function needsFakeroot(argv: readonly string[], config: FakerootConfig): boolean {
  return argv.some((text) => text.split(/\s+/).some((word) => config.triggers.includes(word)));
}

interface Candidate extends FakerootConfig {
  readonly file: string;
  readonly matches: (text: string) => boolean;
}

const RPM = ["dnf", "rpm", "yum"];

function installStep(command: string): FakerootStep {
  return { check: "command -v fakeroot > /dev/null", do: command };
}

/** fakeroot is in EPEL, which the image shall not keep if it did not have it. */
function epelInstallStep(major: string): FakerootStep {
  const release = `https://dl.fedoraproject.org/pub/epel/epel-release-latest-${major}.noarch.rpm`;
  return installStep(
    "set -e; " +
      "if grep -Eqs '^\\[epel\\]' /etc/yum.conf /etc/yum.repos.d/*.repo; then " +
      "yum install -y fakeroot; " +
      `else yum install -y ${release}; yum install -y fakeroot; yum remove -y epel-release; fi`,
  );
}

/** Version number after PATTERN, or NaN. */
function versionIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? NaN);
}

function isDebianDerivative(text: string): boolean {
  const version = versionIn(text, /^VERSION_ID="?(\d+)/m);
  if (/^(?:PRETTY_)?NAME="?Debian GNU\/Linux/m.test(text) && version >= 9) return true;
  if (/^(?:PRETTY_)?NAME="?Ubuntu/m.test(text) && version >= 14) return true;
  return /^ID_LIKE="?(?:[^"\n]* )?debian\b/m.test(text);
}

const CONFIGS: readonly Candidate[] = [
  {
    key: "fedora",
    name: "Fedora 24+",
    file: "/etc/fedora-release",
    matches: (text) => versionIn(text, /release (\d+)/) >= 24,
    triggers: RPM,
    steps: [installStep("dnf install -y fakeroot")],
  },
  {
    key: "rhel7",
    name: "RHEL 7 and derivatives",
    file: "/etc/redhat-release",
    matches: (text) => /release 7\./.test(text),
    triggers: RPM,
    steps: [epelInstallStep("7")],
  },
  {
    key: "rhel8",
    name: "RHEL 8+ and derivatives",
    file: "/etc/redhat-release",
    matches: (text) => versionIn(text, /release (\d+)/) >= 8,
    triggers: RPM,
    steps: [epelInstallStep("$(. /etc/os-release; echo ${VERSION_ID%%.*})")],
  },
  {
    key: "debderiv",
    name: "Debian 9+, Ubuntu 14+, or other derivative",
    file: "/etc/os-release",
    matches: isDebianDerivative,
    triggers: ["apt", "apt-get", "dpkg"],
    steps: [
      {
        check: `apt-config dump | grep -Fq 'APT::Sandbox::User "root"' || ` +
          "! grep -q '^_apt:' /etc/passwd",
        do: `echo 'APT::Sandbox::User "root";' > /etc/apt/apt.conf.d/no-sandbox`,
      },
      installStep("apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y fakeroot"),
    ],
  },
  {
    key: "suse",
    name: "(Open)SUSE 42.2+",
    file: "/etc/os-release",
    matches: (text) => /^ID_LIKE=.*suse/m.test(text),
    triggers: ["zypper", "rpm"],
    // fakeroot is a script that calls getopt(1), and its package does not say so.
    steps: [
      installStep(
        "zypper --non-interactive refresh && " +
          "zypper --non-interactive install fakeroot /usr/bin/getopt",
      ),
    ],
  },
  {
    key: "arch",
    name: "Arch Linux",
    file: "/etc/os-release",
    matches: (text) => /^ID="?arch"?$/m.test(text),
    triggers: ["pacman"],
    steps: [installStep("pacman -Sy --noconfirm fakeroot")],
  },
  {
    key: "alpine",
    name: "Alpine, any version",
    file: "/etc/alpine-release",
    matches: (text) => /^\d+\.\d+\.\d+/.test(text),
    triggers: ["apk"],
    steps: [installStep("apk update && apk add fakeroot")],
  },
];
