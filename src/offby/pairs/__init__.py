"""Models on the same rows: by how much their measures differ, and may that be chance?"""
