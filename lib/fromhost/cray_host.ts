// Directories that an image needs because ch-run binds host directories of that name on Cray machines
// (spec ch-fromhost §7).

/** The host's file system, as far as asked here. */
export interface CrayHost {
  /** Kind of the file itself; undefined if there is none. */
  lstat(path: string): string | undefined;
}

const RELEASE = "/etc/opt/cray/release/cle-release";
const COS = "/opt/cray/etc/release/cos";

const ALWAYS = ["/var/lib/hugetlbfs"];
const UGNI = [
  "/var/opt/cray/alps/spool",
  "/opt/cray/wlm_detect",
  "/etc/opt/cray/wlm_detect",
  "/opt/cray/udreg",
  "/opt/cray/xpmem",
  "/opt/cray/ugni",
  "/opt/cray/alps",
];
const CXI = ["/var/spool/slurmd"];

/** Paths to make in the image; none where the host is no Cray. */
export function listCrayDirectories(host: CrayHost): string[] {
  const release = host.lstat(RELEASE);
  if (release === undefined) return [];
  return [
    ...ALWAYS,
    ...release === "symlink" ? [] : UGNI,
    ...host.lstat(COS) === undefined ? [] : CXI,
  ];
}
