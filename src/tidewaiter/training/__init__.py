"""Make the face network: crops, forged pairs, training, export; needs the extra `training`."""
