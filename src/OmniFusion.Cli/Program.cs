using System.CommandLine;
using OmniFusion.Cli;

RootCommand root = new("Translates speech, speech with an image, and text with an image (OmniFusion, arXiv 2512.00234).")
{
    SynthesizeCommand.Create(),
    TrainCommand.Create(),
};
return await CommandRunner.Run(root, args);
