"""One file each: image/ video/ face/ audio/ document/ provenance/"""
