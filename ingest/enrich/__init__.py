"""Steps that add what the network did not say: brands, places, language, sentiment. Pure, and done before BEGIN."""
