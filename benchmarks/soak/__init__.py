"""A whole installation under everyday use for hours: does it stay well, and as small as it was?"""
