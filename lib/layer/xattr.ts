// Which extended attributes belong to an image.

/**
 * Those an ordinary user can have: user.* and POSIX ACLs. Never security.* and trusted.*, not even for
 * root (spec ch-convert §9), nor what overlayfs notes for itself.
 */
export function isPortableXattr(name: string): boolean {
  if (name.startsWith("user.")) return !name.startsWith("user.overlay.");
  return name === "system.posix_acl_access" || name === "system.posix_acl_default";
}
