// Root emulation against real packages: those that need users, groups, capabilities and access lists of
// their own, installed by apt-get in an image built by an ordinary user.

import { expect, rig, test, type Workplace } from "../rig.ts";

const MINUTE = 60_000;

const DOCKERFILE = `FROM debian
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends \\
  openssh-client systemd ca-certificates postgresql-client
RUN ssh -V && psql --version && systemctl --version && test -s /etc/ssl/certs/ca-certificates.crt
RUN test -z "$(dpkg --audit)" && getent group systemd-journal _ssh && \\
  test "$(stat -c %a /usr/bin/ssh-agent)" = 2755
`;

/** A package whose files are other users', one of them set-user-ID, and whose script changes owners. */
const RPM_SPEC = `Name: thing
Version: 1
Release: 1
Summary: files of others
License: none
BuildArch: noarch
# Of the system's packages RPM knows nothing.
Provides: /bin/sh
%description
Files of others.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/var/lib/thing
echo hi >%{buildroot}/usr/bin/thing
%files
%attr(4755, daemon, mail) /usr/bin/thing
%dir %attr(0750, nobody, nogroup) /var/lib/thing
%post
chown games:games /var/lib/thing && echo scriptlet ran
`;

/** There is no base image with dnf to be had from Debian; but dnf itself is. */
const RPM_DOCKERFILE = `FROM debian
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends dnf rpm createrepo-c
COPY thing.spec /root/
RUN rpmbuild --quiet -bb /root/thing.spec && createrepo_c --quiet /root/rpmbuild/RPMS
RUN dnf --repofrompath=local,/root/rpmbuild/RPMS --repo=local --nogpgcheck -y install thing
RUN rpm -q thing && stat -c %a /usr/bin/thing /var/lib/thing
`;

async function buildOnDebian(work: Workplace, context: Readonly<Record<string, string>>) {
  work.tree("context", context);
  expect(await work.run(["ch-image", "import", rig.debianTar, "debian"], { limit: 2 * MINUTE }), {
    code: 0,
  });
  return await work.run(["ch-image", "build", "-t", "t", "context"], { limit: 10 * MINUTE });
}

test(
  "ch-image build: apt-get installs openssh-client, systemd, ca-certificates, postgresql-client",
  async (work) => {
    expect(await buildOnDebian(work, { Dockerfile: DOCKERFILE }), {
      code: 0,
      stdout: /^Setting up systemd [^]*^psql \(PostgreSQL\) [^]*^systemd 2/m,
      stderr: /--force=seccomp: modified 1 RUN instructions\ngrown in 5 instructions: t\n/,
    });
  },
  "debian",
  "network",
);

test(
  "ch-image build: dnf installs what belongs to others",
  async (work) => {
    expect(await buildOnDebian(work, { Dockerfile: RPM_DOCKERFILE, "thing.spec": RPM_SPEC }), {
      code: 0,
      stdout: /^scriptlet ran\n[^]*\nthing-1-1\.noarch\n4755\n750\n$/m,
    });
  },
  "debian",
  "network",
);
