/**
 * Shell text that prints the proportional memory, in KiB, of the process that serves IMAGE: one that
 * holds it open. Nothing if there is none, as for the kernel's mounts, whose loop device does that.
 */
export function serverMemory(image: string): string {
  return `for process in /proc/[0-9]*; do
      case $(cat $process/comm 2>/dev/null) in ch-squashfs|squashfuse_ll|ch-run) ;; *) continue ;; esac
      readlink $process/fd/* 2>/dev/null | grep -qxF '${image}' || continue
      sed -n 's/^Pss: *\\([0-9]*\\).*/\\1/p' $process/smaps_rollup
    done | sort -n | tail -n 1`;
}
