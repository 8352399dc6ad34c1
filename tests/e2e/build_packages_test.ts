// Root emulation against real packages: those that need users, groups, capabilities and access lists of
// their own, installed by apt-get in an image built by an ordinary user.

import { expect, rig, test } from "../rig.ts";

const MINUTE = 60_000;

const DOCKERFILE = `FROM debian
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends \\
  openssh-client systemd ca-certificates postgresql-client
RUN ssh -V && psql --version && systemctl --version && test -s /etc/ssl/certs/ca-certificates.crt
RUN test -z "$(dpkg --audit)" && getent group systemd-journal _ssh && \\
  test "$(stat -c %a /usr/bin/ssh-agent)" = 2755
`;

test(
  "ch-image build: apt-get installs openssh-client, systemd, ca-certificates, postgresql-client",
  async (work) => {
    work.tree("context", { Dockerfile: DOCKERFILE });
    expect(await work.run(["ch-image", "import", rig.debianTar, "debian"], { limit: 2 * MINUTE }), {
      code: 0,
    });
    const result = await work.run(["ch-image", "build", "-t", "t", "context"], {
      limit: 10 * MINUTE,
    });
    expect(result, {
      code: 0,
      stdout: /^Setting up systemd [^]*^psql \(PostgreSQL\) [^]*^systemd 2/m,
      stderr: /--force=seccomp: modified 1 RUN instructions\ngrown in 5 instructions: t\n/,
    });
  },
  "debian",
  "network",
);
