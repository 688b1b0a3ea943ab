"""Error rates, calibration measures, intervals, in ISO/IEC and forensic terms."""
