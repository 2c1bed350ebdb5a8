"""Facts about boards, as data: one file for each in `boards/`, and the matrix of JetPack."""
