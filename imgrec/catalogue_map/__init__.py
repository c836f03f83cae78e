"""The catalogue as a map: alike products near each other, to find holes and misfits.

Made by a worker or by ``imgrec_map``, from the lists that are stored; looked at in the admin.
"""
