"""One file each: image/ video/ face/ provenance/ (audio/ and document/ follow)."""
