# The style sheet and the script become an array in C, so that the program carries them.
tt_embed(tt_web serve/web/assets serve/web/assets.h tt_web_asset tt_web_assets)
