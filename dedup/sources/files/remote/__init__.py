"""Files on other machines: in stores such as S3, and at web addresses. They are copied, and the copies are read."""
