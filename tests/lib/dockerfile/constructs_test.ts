// What Dockerfiles out in the world are made of, and what becomes of it under Docker's rules: each row is an
// instruction as it is found there, then the instructions that it is parsed to.

import { deepStrictEqual } from "node:assert/strict";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";

const SYNTAX = "# syntax=docker/dockerfile:1\n";

const CONSTRUCTS: readonly (readonly [string, ...unknown[]])[] = [
  ["FROM --platform=$BUILDPLATFORM golang:1.21-alpine AS build", {
    "kind": "from",
    "options": [{ "name": "platform", "value": "$BUILDPLATFORM" }],
    "image": "golang:1.21-alpine",
    "alias": "build",
  }],
  [
    "FROM debian:bookworm-slim@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    {
      "kind": "from",
      "options": [],
      "image":
        "debian:bookworm-slim@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    },
  ],
  ["FROM ${REGISTRY:-docker.io}/library/node:${NODE_VERSION} as deps", {
    "kind": "from",
    "options": [],
    "image": "${REGISTRY:-docker.io}/library/node:${NODE_VERSION}",
    "alias": "deps",
  }],
  ["FROM scratch", { "kind": "from", "options": [], "image": "scratch" }],
  ["FROM registry.example.com:5000/team/app:1.2 AS Final-Stage_2", {
    "kind": "from",
    "options": [],
    "image": "registry.example.com:5000/team/app:1.2",
    "alias": "final-stage_2",
  }],
  ["from ubuntu", { "kind": "from", "options": [], "image": "ubuntu" }],
  ["ARG DEBIAN_FRONTEND=noninteractive", {
    "kind": "arg",
    "name": "DEBIAN_FRONTEND",
    "value": "noninteractive",
  }],
  ["ARG VERSION", { "kind": "arg", "name": "VERSION" }],
  ['ARG A=1 B="two words" C', { "kind": "arg", "name": "A", "value": "1" }, {
    "kind": "arg",
    "name": "B",
    "value": '"two words"',
  }, { "kind": "arg", "name": "C" }],
  ['ARG GO_LDFLAGS="-s -w -X main.version=${VERSION}"', {
    "kind": "arg",
    "name": "GO_LDFLAGS",
    "value": '"-s -w -X main.version=${VERSION}"',
  }],
  ["ARG UID=1000 GID=1000", { "kind": "arg", "name": "UID", "value": "1000" }, {
    "kind": "arg",
    "name": "GID",
    "value": "1000",
  }],
  ["ARG empty=", { "kind": "arg", "name": "empty", "value": "" }],
  ["ENV PATH=/usr/local/bin:$PATH", {
    "kind": "env",
    "pairs": [{ "name": "PATH", "value": "/usr/local/bin:$PATH" }],
  }],
  ['ENV PATH="/opt/venv/bin:$PATH" VIRTUAL_ENV=/opt/venv', {
    "kind": "env",
    "pairs": [{ "name": "PATH", "value": '"/opt/venv/bin:$PATH"' }, {
      "name": "VIRTUAL_ENV",
      "value": "/opt/venv",
    }],
  }],
  ["ENV LANG C.UTF-8", { "kind": "env", "pairs": [{ "name": "LANG", "value": "C.UTF-8" }] }],
  ['ENV JAVA_OPTS="-Xmx512m -Dfile.encoding=UTF-8" PORT=8080', {
    "kind": "env",
    "pairs": [{ "name": "JAVA_OPTS", "value": '"-Xmx512m -Dfile.encoding=UTF-8"' }, {
      "name": "PORT",
      "value": "8080",
    }],
  }],
  ["ENV A=a\\ b B='single $quoted'", {
    "kind": "env",
    "pairs": [{ "name": "A", "value": "a\\ b" }, { "name": "B", "value": "'single $quoted'" }],
  }],
  ["ENV PYTHONUNBUFFERED=1 \\\n    PYTHONDONTWRITEBYTECODE=1", {
    "kind": "env",
    "pairs": [{ "name": "PYTHONUNBUFFERED", "value": "1" }, {
      "name": "PYTHONDONTWRITEBYTECODE",
      "value": "1",
    }],
  }],
  ["ENV GOPATH /go", { "kind": "env", "pairs": [{ "name": "GOPATH", "value": "/go" }] }],
  ["ENV EMPTY=", { "kind": "env", "pairs": [{ "name": "EMPTY", "value": "" }] }],
  ["ENV URL=http://h:80/p?q=1&r=2#frag", {
    "kind": "env",
    "pairs": [{ "name": "URL", "value": "http://h:80/p?q=1&r=2#frag" }],
  }],
  ['LABEL org.opencontainers.image.source="https://example.com/x" version=1.0', {
    "kind": "label",
    "pairs": [{ "name": "org.opencontainers.image.source", "value": '"https://example.com/x"' }, {
      "name": "version",
      "value": "1.0",
    }],
  }],
  ['LABEL "com.example.vendor"="ACME Inc"', {
    "kind": "label",
    "pairs": [{ "name": '"com.example.vendor"', "value": '"ACME Inc"' }],
  }],
  ['LABEL description="one \\\ntwo"', {
    "kind": "label",
    "pairs": [{ "name": "description", "value": '"one two"' }],
  }],
  ["LABEL maintainer=me@example.com", {
    "kind": "label",
    "pairs": [{ "name": "maintainer", "value": "me@example.com" }],
  }],
  ["LABEL multi='a b' other=\"c\"", {
    "kind": "label",
    "pairs": [{ "name": "multi", "value": "'a b'" }, { "name": "other", "value": '"c"' }],
  }],
  ["MAINTAINER Jane Doe <jane@example.com>", {
    "kind": "configure",
    "setting": { "name": "MAINTAINER", "text": "Jane Doe <jane@example.com>" },
  }],
  ["WORKDIR /usr/src/app", { "kind": "workdir", "path": "/usr/src/app" }],
  ["WORKDIR $HOME/app", { "kind": "workdir", "path": "$HOME/app" }],
  ['WORKDIR "/with space"', { "kind": "workdir", "path": '"/with space"' }],
  ["WORKDIR C:\\\\Windows", { "kind": "workdir", "path": "C:\\\\Windows" }],
  ["USER node", { "kind": "configure", "setting": { "name": "USER", "text": "node" } }],
  ["USER 1000:1000", { "kind": "configure", "setting": { "name": "USER", "text": "1000:1000" } }],
  ["USER ${UID}:${GID}", {
    "kind": "configure",
    "setting": { "name": "USER", "text": "${UID}:${GID}" },
  }],
  ["EXPOSE 80/tcp 443", {
    "kind": "configure",
    "setting": { "name": "EXPOSE", "words": ["80/tcp", "443"] },
  }],
  ["EXPOSE $PORT", { "kind": "configure", "setting": { "name": "EXPOSE", "words": ["$PORT"] } }],
  ["EXPOSE 3000-3005", {
    "kind": "configure",
    "setting": { "name": "EXPOSE", "words": ["3000-3005"] },
  }],
  ["VOLUME /data", { "kind": "configure", "setting": { "name": "VOLUME", "words": ["/data"] } }],
  ['VOLUME ["/var/lib/mysql", "/var/log"]', {
    "kind": "configure",
    "setting": { "name": "VOLUME", "words": ["/var/lib/mysql", "/var/log"] },
  }],
  ["VOLUME /a /b", { "kind": "configure", "setting": { "name": "VOLUME", "words": ["/a", "/b"] } }],
  ["STOPSIGNAL SIGTERM", {
    "kind": "configure",
    "setting": { "name": "STOPSIGNAL", "text": "SIGTERM" },
  }],
  ["STOPSIGNAL 9", { "kind": "configure", "setting": { "name": "STOPSIGNAL", "text": "9" } }],
  ['SHELL ["/bin/bash", "-o", "pipefail", "-c"]', {
    "kind": "shell",
    "argv": ["/bin/bash", "-o", "pipefail", "-c"],
  }],
  ['SHELL ["powershell", "-Command"]', { "kind": "shell", "argv": ["powershell", "-Command"] }],
  ['CMD ["nginx", "-g", "daemon off;"]', {
    "kind": "configure",
    "setting": {
      "name": "CMD",
      "command": { "form": "list", "argv": ["nginx", "-g", "daemon off;"] },
    },
  }],
  ["CMD npm start", {
    "kind": "configure",
    "setting": { "name": "CMD", "command": { "form": "shell", "command": "npm start" } },
  }],
  ["CMD []", {
    "kind": "configure",
    "setting": { "name": "CMD", "command": { "form": "list", "argv": [] } },
  }],
  ['CMD ["sh", "-c", "exec java $JAVA_OPTS -jar /app.jar"]', {
    "kind": "configure",
    "setting": {
      "name": "CMD",
      "command": { "form": "list", "argv": ["sh", "-c", "exec java $JAVA_OPTS -jar /app.jar"] },
    },
  }],
  ['CMD [ "node" , "server.js" ]', {
    "kind": "configure",
    "setting": { "name": "CMD", "command": { "form": "list", "argv": ["node", "server.js"] } },
  }],
  ["CMD [not json", {
    "kind": "configure",
    "setting": { "name": "CMD", "command": { "form": "shell", "command": "[not json" } },
  }],
  ['ENTRYPOINT ["docker-entrypoint.sh"]', {
    "kind": "configure",
    "setting": {
      "name": "ENTRYPOINT",
      "command": { "form": "list", "argv": ["docker-entrypoint.sh"] },
    },
  }],
  ["ENTRYPOINT exec top -b", {
    "kind": "configure",
    "setting": { "name": "ENTRYPOINT", "command": { "form": "shell", "command": "exec top -b" } },
  }],
  ['ENTRYPOINT ["/tini", "--"]', {
    "kind": "configure",
    "setting": { "name": "ENTRYPOINT", "command": { "form": "list", "argv": ["/tini", "--"] } },
  }],
  ["HEALTHCHECK NONE", {
    "kind": "configure",
    "setting": { "name": "HEALTHCHECK", "options": [] },
  }],
  ["HEALTHCHECK CMD curl -f http://localhost/ || exit 1", {
    "kind": "configure",
    "setting": {
      "name": "HEALTHCHECK",
      "options": [],
      "command": { "form": "shell", "command": "curl -f http://localhost/ || exit 1" },
    },
  }],
  ['HEALTHCHECK --interval=30s --timeout=3s --retries=3 --start-period=5s CMD ["/health"]', {
    "kind": "configure",
    "setting": {
      "name": "HEALTHCHECK",
      "options": [{ "name": "interval", "value": "30s" }, { "name": "timeout", "value": "3s" }, {
        "name": "retries",
        "value": "3",
      }, { "name": "start-period", "value": "5s" }],
      "command": { "form": "list", "argv": ["/health"] },
    },
  }],
  ["ONBUILD COPY . /app", {
    "kind": "configure",
    "setting": { "name": "ONBUILD", "text": "COPY . /app" },
  }],
  ["ONBUILD RUN make", {
    "kind": "configure",
    "setting": { "name": "ONBUILD", "text": "RUN make" },
  }],
  ["COPY . .", { "kind": "copy", "options": [], "paths": [".", "."], "heredocs": [] }],
  ["COPY package*.json ./", {
    "kind": "copy",
    "options": [],
    "paths": ["package*.json", "./"],
    "heredocs": [],
  }],
  ["COPY --from=build /go/bin/app /usr/local/bin/", {
    "kind": "copy",
    "options": [{ "name": "from", "value": "build" }],
    "paths": ["/go/bin/app", "/usr/local/bin/"],
    "heredocs": [],
  }],
  ["COPY --from=0 /x /y", {
    "kind": "copy",
    "options": [{ "name": "from", "value": "0" }],
    "paths": ["/x", "/y"],
    "heredocs": [],
  }],
  ["COPY --chown=node:node . /app", {
    "kind": "copy",
    "options": [{ "name": "chown", "value": "node:node" }],
    "paths": [".", "/app"],
    "heredocs": [],
  }],
  ["COPY --chown=1000:1000 --chmod=755 entry.sh /", {
    "kind": "copy",
    "options": [{ "name": "chown", "value": "1000:1000" }, { "name": "chmod", "value": "755" }],
    "paths": ["entry.sh", "/"],
    "heredocs": [],
  }],
  ["COPY --link --from=deps /node_modules ./node_modules", {
    "kind": "copy",
    "options": [{ "name": "link", "value": "true" }, { "name": "from", "value": "deps" }],
    "paths": ["/node_modules", "./node_modules"],
    "heredocs": [],
  }],
  ['COPY ["a b", "c d/"]', {
    "kind": "copy",
    "options": [],
    "paths": ["a b", "c d/"],
    "heredocs": [],
  }],
  ["COPY requirements.txt requirements-dev.txt /tmp/", {
    "kind": "copy",
    "options": [],
    "paths": ["requirements.txt", "requirements-dev.txt", "/tmp/"],
    "heredocs": [],
  }],
  ["COPY --parents ./x/a.txt ./y/a.txt /parents/", {
    "kind": "copy",
    "options": [{ "name": "parents", "value": "true" }],
    "paths": ["./x/a.txt", "./y/a.txt", "/parents/"],
    "heredocs": [],
  }],
  ["COPY --exclude=*.txt --exclude=*.md . /dest/", {
    "kind": "copy",
    "options": [{ "name": "exclude", "value": "*.txt" }, { "name": "exclude", "value": "*.md" }],
    "paths": [".", "/dest/"],
    "heredocs": [],
  }],
  ["COPY a=b /c=d", { "kind": "copy", "options": [], "paths": ["a=b", "/c=d"], "heredocs": [] }],
  ["COPY --from=nginx:latest /etc/nginx/nginx.conf /nginx.conf", {
    "kind": "copy",
    "options": [{ "name": "from", "value": "nginx:latest" }],
    "paths": ["/etc/nginx/nginx.conf", "/nginx.conf"],
    "heredocs": [],
  }],
  ["COPY <<EOF /etc/app.conf\nkey=$value\nEOF", {
    "kind": "copy",
    "options": [],
    "paths": ["<<EOF", "/etc/app.conf"],
    "heredocs": [{ "word": "<<EOF", "name": "EOF", "content": "key=$value\n", "expand": true }],
  }],
  ['COPY <<"EOF" /etc/raw.conf\nkey=$value\nEOF', {
    "kind": "copy",
    "options": [],
    "paths": ['<<"EOF"', "/etc/raw.conf"],
    "heredocs": [{ "word": '<<"EOF"', "name": "EOF", "content": "key=$value\n", "expand": false }],
  }],
  ["COPY <<one <<two /dir/\n1\none\n2\ntwo", {
    "kind": "copy",
    "options": [],
    "paths": ["<<one", "<<two", "/dir/"],
    "heredocs": [{ "word": "<<one", "name": "one", "content": "1\n", "expand": true }, {
      "word": "<<two",
      "name": "two",
      "content": "2\n",
      "expand": true,
    }],
  }],
  ["COPY src/ \\\n  dst/", {
    "kind": "copy",
    "options": [],
    "paths": ["src/", "dst/"],
    "heredocs": [],
  }],
  ["ADD https://example.com/a.tar.gz /tmp/", {
    "kind": "add",
    "options": [],
    "paths": ["https://example.com/a.tar.gz", "/tmp/"],
    "heredocs": [],
  }],
  [
    "ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://x.org/f /",
    {
      "kind": "add",
      "options": [{
        "name": "checksum",
        "value": "sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d",
      }],
      "paths": ["https://x.org/f", "/"],
      "heredocs": [],
    },
  ],
  ["ADD git@github.com:user/repo.git#main:sub /src", {
    "kind": "add",
    "options": [],
    "paths": ["git@github.com:user/repo.git#main:sub", "/src"],
    "heredocs": [],
  }],
  ["ADD --keep-git-dir=true https://github.com/a/b.git#v1 /b", {
    "kind": "add",
    "options": [{ "name": "keep-git-dir", "value": "true" }],
    "paths": ["https://github.com/a/b.git#v1", "/b"],
    "heredocs": [],
  }],
  ["ADD rootfs.tar.xz /", {
    "kind": "add",
    "options": [],
    "paths": ["rootfs.tar.xz", "/"],
    "heredocs": [],
  }],
  ["ADD --unpack=false a.tar /", {
    "kind": "add",
    "options": [{ "name": "unpack", "value": "false" }],
    "paths": ["a.tar", "/"],
    "heredocs": [],
  }],
  ["ADD --chown=app:app --chmod=644 f /", {
    "kind": "add",
    "options": [{ "name": "chown", "value": "app:app" }, { "name": "chmod", "value": "644" }],
    "paths": ["f", "/"],
    "heredocs": [],
  }],
  [
    "RUN apt-get update && apt-get install -y --no-install-recommends \\\n    curl \\\n    git \\\n && rm -rf /var/lib/apt/lists/*",
    {
      "kind": "run",
      "options": [],
      "heredocs": [],
      "form": "shell",
      "command":
        "apt-get update && apt-get install -y --no-install-recommends     curl     git  && rm -rf /var/lib/apt/lists/*",
    },
  ],
  ['RUN ["/bin/bash", "-c", "echo hello"]', {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "list",
    "argv": ["/bin/bash", "-c", "echo hello"],
  }],
  ["RUN set -eux; \\\n  # a comment\n  apk add --no-cache build-base; \\\n\n  make", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "set -eux;   apk add --no-cache build-base;   make",
  }],
  ['RUN echo "quoted \\"inner\\" text" > \'/a b\'', {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": 'echo "quoted \\"inner\\" text" > \'/a b\'',
  }],
  ["RUN --mount=type=cache,target=/root/.cache/go-build go build ./...", {
    "kind": "run",
    "options": [{ "name": "mount", "value": "type=cache,target=/root/.cache/go-build" }],
    "heredocs": [],
    "form": "shell",
    "command": "go build ./...",
  }],
  [
    "RUN --mount=type=cache,id=apt,target=/var/cache/apt,sharing=locked --mount=type=tmpfs,target=/t apt-get update",
    {
      "kind": "run",
      "options": [{
        "name": "mount",
        "value": "type=cache,id=apt,target=/var/cache/apt,sharing=locked",
      }, { "name": "mount", "value": "type=tmpfs,target=/t" }],
      "heredocs": [],
      "form": "shell",
      "command": "apt-get update",
    },
  ],
  ["RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci", {
    "kind": "run",
    "options": [{ "name": "mount", "value": "type=secret,id=npmrc,target=/root/.npmrc" }],
    "heredocs": [],
    "form": "shell",
    "command": "npm ci",
  }],
  ['RUN --mount=type=secret,id=tok,env=TOKEN curl -H "$TOKEN" x', {
    "kind": "run",
    "options": [{ "name": "mount", "value": "type=secret,id=tok,env=TOKEN" }],
    "heredocs": [],
    "form": "shell",
    "command": 'curl -H "$TOKEN" x',
  }],
  ["RUN --mount=type=ssh git clone git@github.com:a/b", {
    "kind": "run",
    "options": [{ "name": "mount", "value": "type=ssh" }],
    "heredocs": [],
    "form": "shell",
    "command": "git clone git@github.com:a/b",
  }],
  ["RUN --mount=type=bind,from=build,source=/out,target=/in cp -r /in /x", {
    "kind": "run",
    "options": [{ "name": "mount", "value": "type=bind,from=build,source=/out,target=/in" }],
    "heredocs": [],
    "form": "shell",
    "command": "cp -r /in /x",
  }],
  ["RUN --mount=target=. make", {
    "kind": "run",
    "options": [{ "name": "mount", "value": "target=." }],
    "heredocs": [],
    "form": "shell",
    "command": "make",
  }],
  ["RUN --network=none make test", {
    "kind": "run",
    "options": [{ "name": "network", "value": "none" }],
    "heredocs": [],
    "form": "shell",
    "command": "make test",
  }],
  ["RUN --security=sandbox id", {
    "kind": "run",
    "options": [{ "name": "security", "value": "sandbox" }],
    "heredocs": [],
    "form": "shell",
    "command": "id",
  }],
  ["RUN <<EOF\napt-get update\napt-get install -y curl\nEOF", {
    "kind": "run",
    "options": [],
    "heredocs": [{
      "word": "<<EOF",
      "name": "EOF",
      "content": "apt-get update\napt-get install -y curl\n",
      "expand": true,
    }],
    "form": "shell",
    "command": "<<EOF",
  }],
  ["RUN <<-EOF\n\tindented\n\tEOF", {
    "kind": "run",
    "options": [],
    "heredocs": [{ "word": "<<-EOF", "name": "EOF", "content": "indented\n", "expand": true }],
    "form": "shell",
    "command": "<<-EOF",
  }],
  ["RUN <<'EOF' bash -e\necho $x\nEOF", {
    "kind": "run",
    "options": [],
    "heredocs": [{ "word": "<<'EOF'", "name": "EOF", "content": "echo $x\n", "expand": false }],
    "form": "shell",
    "command": "<<'EOF' bash -e",
  }],
  ["RUN python3 <<EOF > /out\nprint(1)\nEOF", {
    "kind": "run",
    "options": [],
    "heredocs": [{ "word": "<<EOF", "name": "EOF", "content": "print(1)\n", "expand": true }],
    "form": "shell",
    "command": "python3 <<EOF > /out",
  }],
  ["RUN cat <<A <<B\na\nA\nb\nB", {
    "kind": "run",
    "options": [],
    "heredocs": [{ "word": "<<A", "name": "A", "content": "a\n", "expand": true }, {
      "word": "<<B",
      "name": "B",
      "content": "b\n",
      "expand": true,
    }],
    "form": "shell",
    "command": "cat <<A <<B",
  }],
  ["RUN echo $((1<<2))", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "echo $((1<<2))",
  }],
  ['RUN cat <<< "here string"', {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": 'cat <<< "here string"',
  }],
  ['RUN if [ "$X" = 1 ]; then echo a; else echo b; fi', {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": 'if [ "$X" = 1 ]; then echo a; else echo b; fi',
  }],
  ["RUN echo 'a # not a comment' # but this is the shell's", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "echo 'a # not a comment' # but this is the shell's",
  }],
  ["RUN a && \\\n# comment\nb", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "a && b",
  }],
  ["RUN   spaced   out  ", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "spaced   out",
  }],
  ["RUN groupadd -r app && useradd --no-log-init -r -g app app", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "groupadd -r app && useradd --no-log-init -r -g app app",
  }],
  ["RUN curl -fsSL https://deb.nodesource.com/setup_20.x | bash -", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "curl -fsSL https://deb.nodesource.com/setup_20.x | bash -",
  }],
  ["RUN pip install --no-cache-dir -r requirements.txt", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "pip install --no-cache-dir -r requirements.txt",
  }],
  ["RUN [ -f /x ] && echo yes", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "[ -f /x ] && echo yes",
  }],
  ["RUN [\"a\", 'single']", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "[\"a\", 'single']",
  }],
  ["RUN echo \\$HOME ${HOME} $$ `id`", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "echo \\$HOME ${HOME} $$ `id`",
  }],
  ['RUN echo "line one\\n\\\nline two"', {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": 'echo "line one\\nline two"',
  }],
  ["RUN echo ünïcödé 日本", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "echo ünïcödé 日本",
  }],
  ['run make -j"$(nproc)"', {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": 'make -j"$(nproc)"',
  }],
  ["RUN (cd /src && make) || { cat log; exit 1; }", {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": "(cd /src && make) || { cat log; exit 1; }",
  }],
  ['RUN test "$(uname -m)" = x86_64 \\\n    && echo ok\ttab', {
    "kind": "run",
    "options": [],
    "heredocs": [],
    "form": "shell",
    "command": 'test "$(uname -m)" = x86_64     && echo ok\ttab',
  }],
];

/** Without position, keyword and what is undefined. */
function parseBare(text: string): unknown[] {
  const { instructions } = parseDockerfile({ file: "Dockerfile", text: `${SYNTAX}${text}\n` });
  return instructions.slice(1).map(({ position: _position, keyword: _keyword, ...rest }) =>
    JSON.parse(JSON.stringify(rest))
  );
}

for (const [text, ...expected] of CONSTRUCTS) {
  Deno.test(`parseDockerfile() of ${JSON.stringify(text)}`, () => {
    deepStrictEqual(parseBare(text), expected);
  });
}
